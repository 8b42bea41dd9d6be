"""The configuration as it holds for this process, with the origin of every value.

Order of precedence: flag > environment > overlay files, later ones first > file > default.
"""

from common.runtime.settings.command_line import add_config_arguments, settings_of
from common.runtime.settings.environment import variable_of
from common.runtime.settings.load import Settings, load_settings
from common.runtime.settings.problems import ConfigProblems, problem_lines

__all__ = [
    "ConfigProblems",
    "Settings",
    "add_config_arguments",
    "load_settings",
    "problem_lines",
    "settings_of",
    "variable_of",
]
