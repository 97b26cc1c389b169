"""runbooks/restore-tenants.yml on a real PostgreSQL: a canary first, then waves, then all."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab import SITES, Lab, LabHost
from tests.lab.services import postgres
from tests.lab.stories.desk import Desk
from tests.programs import Done

#: All of a story is told before its first test.
pytestmark = pytest.mark.timeout(600)

TENANTS = [f"t{number:02}" for number in range(1, 61)]
#: Rows of each tenant, all different.
ROWS = {tenant: 3 + number for number, tenant in enumerate(TENANTS)}
SCHEMAS = "select count(*) from pg_namespace where nspname ~ '^t[0-9]{2}$'"


def dump(tenant: str, rows: int) -> str:
    values = ",".join(f"({number})" for number in range(rows))
    return (
        f"CREATE SCHEMA {tenant};\nCREATE TABLE {tenant}.rows (n int);\n"
        f"INSERT INTO {tenant}.rows VALUES {values};\n"
    )


@dataclass
class Story:
    """What was seen."""

    database: LabHost
    #: How the run with a damaged canary ended, and the schemas that were there then.
    damaged: Done
    schemas_then: str
    done: Done


def lay(backups: LabHost, **instead: str) -> None:
    texts = {each: instead.get(each, dump(each, rows)) for each, rows in ROWS.items()}
    sums = "".join(
        f"{hashlib.sha256(text.encode()).hexdigest()}  {tenant}.sql\n"
        for tenant, text in texts.items()
    )
    whole = "".join(f"cat >{tenant}.sql <<'END'\n{text}END\n" for tenant, text in texts.items())
    backups.must(f"mkdir -p /srv/backups/tenants && cd /srv/backups/tenants\n{whole}", timeout=60)
    backups.write("/srv/backups/tenants/sums", sums)
    manifest = "".join(f"{tenant} {rows}\n" for tenant, rows in ROWS.items())
    backups.write("/srv/backups/tenants/manifest", manifest)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with Lab(SITES) as lab:
        yield _tell(lab, tmp_path_factory.mktemp("tenants"))


def _tell(lab: Lab, folder: Path) -> Story:
    database, backups = lab.host("db1.ams"), lab.host("bk1.fre")
    postgres.primary(database)
    # A dump that breaks off: its last line is missing half of its rows.
    lay(backups, t01=dump("t01", ROWS["t01"]).replace("VALUES (0)", "VALUES (0"))
    desk = Desk(lab, folder, "sites.yml", "tenants.yml")
    damaged = desk.run("restore-tenants.yml").end()
    then = postgres.ask(database, SCHEMAS)
    lay(backups)
    second = desk.run("restore-tenants.yml")
    desk.confirm("tell-tenants", by="conrad")
    done = second.end()
    return Story(database, damaged, then, done)


def test_a_canary_that_fails_keeps_all_others_from_being_tried(story: Story) -> None:
    assert story.damaged.exit == 1, story.damaged.err
    assert story.schemas_then == "0"


def test_all_tenants_have_all_their_rows(story: Story) -> None:
    assert story.done.exit == 0, story.done.err
    counted = {
        tenant: int(postgres.ask(story.database, f"select count(*) from {tenant}.rows"))
        for tenant in TENANTS
    }
    assert counted == ROWS
