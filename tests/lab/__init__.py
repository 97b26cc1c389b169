"""A lab: sites, hosts with real sshds, an operator's and a client's place, on one machine.

Needs root; no container program, no systemd. Every host has its own network, mount, PID, UTS and
IPC namespaces and its own disk over the machine's root, so services run from the machine's
programs with their own files::

    with Lab(SITES) as lab:                              # or Lab().up() … lab.down()
        db = lab.host("db1.phl")
        db.run("psql -c 'select 1'", user="postgres", timeout=20)  # Done(exit, out, err)
        db.must("initdb -D /var/lib/postgresql/data", user="postgres")  # text, or LabBroken
        db.write("/etc/motd", "hello\\n", owner="root", mode=0o644)
        db.service("postgres", "postgres -D /var/lib/postgresql/data", user="postgres",
                   ready="pg_isready -h /tmp", stop=signal.SIGINT)
        db.must("service postgres restart")              # also for runbooks, over ssh
        lab.host("client").popen(["curl", "http://192.0.2.14/"])
        lab.write_inventory(folder / "lab.yml", groups={"dbs": ["db1.phl", "db1.ams"]})
        lab.operator.run([sys.executable, "-m", "drrun", "run", "x.yml"], cwd=folder)
        lab.faults.null_route("phl")                     # both directions; phl-oob stays
        lab.faults.restore("phl")
        lab.faults.reboot("git1.phl")                    # new boot id, same disk, services again

By hand: `python -m tests.lab up|down|status|enter|fault|sweep`.
"""

from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.lab.namespaces import Done, LabBroken, NotHere
from tests.lab.operator import Operator
from tests.lab.topology import SITES, SMALL, HostPlan, Network, Topology

__all__ = [
    "SITES",
    "SMALL",
    "Done",
    "HostPlan",
    "Lab",
    "LabBroken",
    "LabHost",
    "Network",
    "NotHere",
    "Operator",
    "Topology",
]
