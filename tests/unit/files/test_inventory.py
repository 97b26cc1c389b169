"""Inventories: drrun's own form, several files, and Ansible's forms."""

import pytest

from drrun.core.model.inventory import Inventory, Route
from drrun.files.inventory.merge import read_inventory

OWN = """
sites:
  phl: {title: Philadelphia, provider: colo, roles: [primary], jurisdiction: US}
hosts:
  bastion.phl: {site: phl, address: 192.0.2.1}
  db1.phl:
    site: phl
    groups: [database]
    user: root
    routes:
      - {address: 10.1.0.5}
      - {name: oob, address: 192.0.2.9, via: [bastion.phl]}
    host_key: "ssh-ed25519 AAAA"
    become: sudo
groups:
  database: {vars: {pgdata: /srv/pg}}
stores:
  repos: {on: db1.phl, kind: files, size: 500GiB, owner: admin,
          backups: [{to: bastion.phl, max_age: 48h, age: {run: date}, domain: fre}]}
contacts:
  colo: {channels: [{kind: phone, number: 1}], verified: 2023-11-02, verify_every: 90d}
dependencies:
  dns: {provider: ns-provider, alternate: none, accepted_risk: small, expires: 2027-01-01}
"""


def read(*texts: str, names: tuple[str, ...] = ()) -> Inventory:
    files = names or tuple(f"{number}.yaml" for number in range(len(texts)))
    inventory, findings = read_inventory(
        [(name, text.encode()) for name, text in zip(files, texts, strict=True)]
    )
    assert not findings, findings
    return inventory


def errors(*texts: str, name: str = "") -> list[str]:
    files = [(name or f"{number}.yaml", text.encode()) for number, text in enumerate(texts)]
    return [str(finding) for finding in read_inventory(files)[1]]


def test_the_whole_vocabulary_arrives() -> None:
    inventory = read(OWN)
    host = inventory.hosts["db1.phl"]
    assert host.routes == (
        Route("10.1.0.5"),
        Route("192.0.2.9", "oob", via=("bastion.phl",)),
    )
    assert inventory.hosts["bastion.phl"].routes == (Route("192.0.2.1"),)
    assert inventory.vars_of(host) == {"pgdata": "/srv/pg"}
    assert inventory.hosts_of_group("database") == ("db1.phl",)
    assert str(inventory.stores["repos"].size) == "500GiB"
    assert inventory.stores["repos"].backups[0].age == {"run": "date"}
    assert inventory.contacts["colo"].verified == "2023-11-02"
    assert inventory.dependencies["dns"].alternate == "none"


def test_a_host_without_an_address_leaves_it_to_the_ssh_configuration() -> None:
    assert read("hosts: {h: {}}").hosts["h"].routes == (Route(),)


def test_files_add_up() -> None:
    inventory = read("sites: {a: {}}", "hosts: {h: {site: a}}", "groups: {g: {hosts: [h]}}")
    assert inventory.hosts_of_group("g") == ("h",)


def test_the_same_definition_twice_is_no_conflict() -> None:
    assert read("hosts: {h: {user: x}}", "hosts: {h: {user: x}}").hosts["h"].user == "x"


def test_two_definitions_of_a_host_name_both_places() -> None:
    (error,) = errors("hosts: {h: {user: x}}", "\nhosts: {h: {user: y}}")
    assert error == "1.yaml:2:9: host 'h' is defined differently in 0.yaml:1:9"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("- a", "an inventory is a mapping with 'hosts', not a list"),
        ("hots: {}", "unknown key 'hots'; did you mean 'hosts'?"),
        ("hosts: {h: {site: x}}", "hosts.h: unknown site 'x'"),
        ("hosts: {h: {via: g}}", "hosts.h: unknown host 'g'"),
        ("hosts: {h: {via: h}}", "passes through the host itself"),
        ("hosts: {h: {adress: x}}", "did you mean 'address'?"),
        ("hosts: {h: {address: -oProxyCommand=x}}", "must be a name or an IP address"),
        ("hosts: {h: {address: 'a b'}}", "must be a name or an IP address"),
        ("hosts: {'a@b': {}}", "must be a name like db1.phl"),
        ("hosts: {h: {user: 'a;b'}}", "must be a user name"),
        ("hosts: {h: {port: 99999}}", "must be a whole number from 1 to 65535"),
        ("hosts: {h: {address: x, routes: [y]}}", "cannot be used together with 'routes'"),
        ("hosts: {h: {host_key: AAAA}}", "must be a public key"),
        ("hosts: {h: {become: su}}", "must be one of sudo"),
        ("groups: {g: {hosts: [h]}}", "groups.g: unknown host 'h'"),
        ("hosts: {db: {}}\nstores: {s: {on: dbb}}", "did you mean 'db'?"),
        ("hosts: {bk1: {}}\nstores: {s: {on: bk1, backups: [{to: bk2}]}}", "did you mean 'bk1'?"),
        ("stores: {s: {size: big}}", "'big' is not a size"),
        ("contacts: {c: {verified: soon}}", "'soon' is not a date"),
    ],
)
def test_one_mistake_gives_one_finding(text: str, message: str) -> None:  # F6, F7, F8
    (error,) = errors(text)
    assert message in error


INI = """\
# comment
[web]
w[01:03].ams ansible_host=10.0.0.1 ansible_port=2222
[db]
db1 ansible_user=root color=red version=010
[db:vars]
pgdata=/srv/pg
[prod:children]
web
db
[all:vars]
ansible_ssh_private_key_file=~/.ssh/dr
"""


def test_an_ansible_ini_file_is_recognised_and_read() -> None:
    inventory = read(INI, names=("hosts",))
    assert list(inventory.hosts) == ["w01.ams", "w02.ams", "w03.ams", "db1"]
    assert inventory.hosts["w02.ams"].routes == (Route("10.0.0.1"),)
    assert inventory.hosts["w02.ams"].port == 2222
    db1 = inventory.hosts["db1"]
    assert (db1.user, db1.identity) == ("root", "~/.ssh/dr")
    assert inventory.vars_of(db1) == {"color": "red", "version": "010", "pgdata": "/srv/pg"}
    assert inventory.hosts_of_group("prod") == ("w01.ams", "w02.ams", "w03.ams", "db1")


def test_an_ansible_yaml_file_is_recognised_and_read() -> None:
    inventory = read("""
all:
  vars: {color: red}
  children:
    web:
      hosts: {"w[a:b]": , w9: {ansible_host: 10.0.0.9, color: blue}}
      vars: {color: green}
    db: {hosts: {w9: }}
""")
    assert inventory.hosts_of_group("web") == ("wa", "wb", "w9")
    assert inventory.vars_of(inventory.hosts["wa"]) == {"color": "green"}
    assert inventory.vars_of(inventory.hosts["w9"]) == {"color": "blue"}
    assert inventory.hosts["w9"].routes == (Route("10.0.0.9"),)


def test_what_ansible_inventory_prints_is_read() -> None:
    inventory = read("""
{"_meta": {"hostvars": {"h1": {"ansible_host": "10.0.0.1"}}},
 "all": {"children": ["ungrouped", "web"]}, "ungrouped": {}, "web": {"hosts": ["h1"]}}
""", names=("hosts.json",))  # fmt: skip
    assert inventory.hosts["h1"].routes == (Route("10.0.0.1"),)
    assert inventory.hosts_of_group("web") == ("h1",)


def test_the_nearest_variable_wins() -> None:
    inventory = read(
        "[a]\nh\n[top:children]\na\n[top:vars]\nx=1\ny=1\n[a:vars]\nx=2\n", names=("i.ini",)
    )
    assert inventory.vars_of(inventory.hosts["h"]) == {"x": 2, "y": 1}


def test_groups_in_a_circle_end() -> None:
    inventory = read("[a:children]\nb\n[b:children]\na\n[a]\nh\n", names=("i.ini",))
    assert inventory.hosts_of_group("b") == ("h",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plugin: aws_ec2\n", "does not execute"),
        ("[web:kids]\nx\n", "is not a section"),
        ("[web]\nh[3:1]\n", "is reversed"),
        ("[web]\nh[1:999999]\n", "more than 10000 hosts"),
        ("[web]\nh 'x\n", "No closing quotation"),
        ("[web]\nh x\n", "write NAME=VALUE"),
        ("[web]\nh ansible_host=-oX\n", "must be a name or an IP address"),
        ("[web]\nh ansible_port=x\n", "must be a whole number"),
        ("[web]\nh ansible_connection=winrm\n", "is not SSH"),
        ("[web:children]\ndb\n", "has a child 'db' that is not a group"),
    ],
)
def test_ansible_files_that_cannot_be_followed_are_refused(text: str, message: str) -> None:
    (error,) = errors(text, name="hosts")
    assert message in error


@pytest.mark.parametrize(
    "variable", ["ansible_ssh_common_args=-C", "ansible_password=x", "ansible_connection=local"]
)
def test_what_drrun_does_not_do_is_a_warning(variable: str) -> None:
    _, (finding,) = read_inventory([("hosts", f"[web]\nh {variable}\n".encode())])
    assert finding.severity == "warning"


@pytest.mark.faults(143)
def test_a_password_in_an_ansible_file_is_not_kept() -> None:
    inventory, _ = read_inventory([("hosts", b"[web]\nh ansible_password=geheim\n")])
    assert "geheim" not in str(inventory)


def test_a_site_named_in_an_ansible_file_may_stand_in_another_file() -> None:
    inventory = read("[web]\nh drrun_site=ams\n", "sites: {ams: {}}", names=("hosts", "s.yaml"))
    assert inventory.hosts["h"].site == "ams"
