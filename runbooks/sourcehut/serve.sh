#!/bin/sh
# Put a service into service at a level. Arguments: FOLDER of settings, LEVEL, NOTICE shown to
# users, SERVICE... Doing it twice is the same as doing it once.
set -eu
etc=$1 level=$2 notice=$3
shift 3
for service; do
    new=$etc/.$service.ini
    {
        echo "[service]"
        echo "level = $level"
        echo "notice = $notice"
        echo "database = host=db.ams dbname=$service"
    } >"$new"
    mv "$new" "$etc/$service.ini"
    systemctl restart "$service.sr.ht"
    echo "$service.sr.ht: $level"
done
