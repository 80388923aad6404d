"""A format whose library is not installed."""

import a_library_that_is_not_installed

FORMAT = a_library_that_is_not_installed.FORMAT
