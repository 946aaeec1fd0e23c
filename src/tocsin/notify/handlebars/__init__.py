"""Templates in the language of Handlebars, as far as notices need it: pure, bounded, in no trouble over odd values.

program = parse("{{#if UP}}well{{else}}{{NAME}} failed{{/if}}")     # TemplateError: none, and why
render(program, {"NAME": "backup"}, now)                          # "backup failed"
"""

from tocsin.notify.handlebars.budget import OUTPUT_MAX, STEPS_MAX, Budget, TooMuch
from tocsin.notify.handlebars.parser import SIZE_MAX, parse
from tocsin.notify.handlebars.renderer import render
from tocsin.notify.handlebars.tags import TemplateError

__all__ = ["OUTPUT_MAX", "SIZE_MAX", "STEPS_MAX", "Budget", "TemplateError", "TooMuch", "parse", "render"]
