"""``python -m bayplan``: the same as the ``bayplan`` command."""

import sys

from bayplan._cli import main

if __name__ == "__main__":
    sys.exit(main())
