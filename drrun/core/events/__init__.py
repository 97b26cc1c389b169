"""The facts of a run. The journal holds them; everything that is known is folded from them.

Rules:
- Past tense, one frozen dataclass each, members are plain JSON values (text, numbers, booleans,
  lists, mappings of these), so that the body of a journal entry is the dataclass as it stands.
- A body holds every choice that was not determined: the moment of a retry, the value a probe saw,
  the route that was taken. Folding needs no clock and no luck.
- A released event never changes its meaning. A new member has a default; anything else is a new
  `VERSION` and a lifting function.
"""

# A module says what it has once; what it imports itself is not part of it, which mypy knows.
from drrun.core.events.afterwards import *
from drrun.core.events.attempts import *
from drrun.core.events.base import *
from drrun.core.events.people import *
from drrun.core.events.run import *
from drrun.core.events.steps import *
from drrun.core.events.world import *
