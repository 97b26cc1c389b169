#!/bin/sh
# Point names of a zone file to an address, count the serial up, reload the name server. Arguments:
# ZONE file, ADDRESS, TTL in seconds, NAME... Names that already point there are left alone; without
# a change the serial stays.
set -eu
zone=$1 address=$2 ttl=$3
shift 3
new=$zone.new.$$
trap 'rm -f "$new"' EXIT
awk -v address="$address" -v ttl="$ttl" -v names=" $* " '
    $4 == "A" && index(names, " " $1 " ") { $2 = ttl; if (address != "-") $5 = address }
    { print }' "$zone" >"$new"
if cmp -s "$zone" "$new"; then
    echo "unchanged"
    exit 0
fi
awk '$4 == "SOA" { $7 = $7 + 1 } { print }' "$new" >"$new.2"
mv "$new.2" "$zone"
knotc zone-reload sr.ht >/dev/null
echo "$*: $address, TTL $ttl"
