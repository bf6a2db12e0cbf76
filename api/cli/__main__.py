"""`python -m api.cli`: how `guard serve` starts its worker, whatever the PATH holds."""

from api.cli import main

main()
