"""The SourceHut migration on this machine: real SSH, real files, real git, no root."""
