"""Signatures of people, made and checked by OpenSSH: `ssh-keygen -Y sign` and `verify`.

Rules:
- No password store and no cryptography of our own: the keys are those that people have already.
- A signature counts only for a person whose public key the runbook names.
"""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from drrun.core.integrity.signing import NAMESPACE
from drrun.core.model.errors import NotReady
from drrun.engine.environment import for_helpers

#: Seconds for one call of ssh-keygen; a passphrase may have to be typed.
_SIGN_WITHIN, _VERIFY_WITHIN = 120.0, 10.0


def sign(text: str, key: Path) -> str:
    """A signature over `text`.

    Args:
        text: What is signed.
        key: Private key, or a public one whose private half an agent holds.

    Raises:
        NotReady: ssh-keygen could not; says why.
    """
    try:
        done = subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key)],
            input=text.encode(),
            capture_output=True,
            env=for_helpers(),
            timeout=_SIGN_WITHIN,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotReady(f"it could not be signed: {error}") from error
    if done.returncode != 0:
        why = done.stderr.decode("utf-8", "replace").strip()
        raise NotReady(f"it could not be signed with {key}: {why}")
    return done.stdout.decode("ascii")


class SshSignatures:
    """Checks signatures. A `Signatures`."""

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        self._keys = keys

    def is_good(self, text: str, signature: str, who: str) -> bool:
        """Whether `who` signed `text`."""
        keys = self._keys.get(who, ())
        if not (keys and signature and text):
            return False
        with tempfile.TemporaryDirectory(prefix="drrun-") as folder:
            allowed, made = Path(folder, "allowed"), Path(folder, "signature")
            # The person is matched by a pattern; quoted, and without what a pattern may hold.
            if not who.replace("-", "").replace("_", "").replace(".", "").isalnum():
                return False
            allowed.write_text("".join(f'{who} namespaces="{NAMESPACE}" {key}\n' for key in keys))
            made.write_text(signature)
            command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", who]
            try:
                done = subprocess.run(
                    [*command, "-n", NAMESPACE, "-s", str(made)],
                    input=text.encode(),
                    capture_output=True,
                    env=for_helpers(),
                    timeout=_VERIFY_WITHIN,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired):
                return False
        return done.returncode == 0
