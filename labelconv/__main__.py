"""`python -m labelconv`."""

from labelconv.cli import main

if __name__ == "__main__":
    main()
