from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """Leaves out what no page loads; compressing it would take most of the first start."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "datasets",  # plotly's examples
        "templates",
        "widgetbundle.js",
        "bootstrap.rtl*",
        "bootstrap-*.css*",  # parts of bootstrap.css on their own
        "bootstrap.css*",  # the minified file is used
        "*.js.map",
        "bootstrap.bundle.*",  # we use no JavaScript of Bootstrap's
        "bootstrap.esm.*",
        "bootstrap.js",
        "bootstrap.min.js",
        "bootstrap/js/jquery*",
        "htmax*",
        "htmx-4*",
    ]
