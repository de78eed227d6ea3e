"""What is collected for the browser: a page that names a file which was left out fails as a whole."""

from django.apps import apps
from django.contrib.staticfiles.finders import get_finders


def collected(ignored):
    return {path for finder in get_finders() for path, _storage in finder.list(ignored)}


def test_the_administration_has_all_its_files():
    ignored = apps.get_app_config("staticfiles").ignore_patterns
    whole = {path for path in collected([]) if path.startswith("admin/")}
    assert "admin/js/vendor/jquery/jquery.min.js" in whole
    assert whole <= collected(ignored)


def test_what_no_page_loads_is_left_out():
    left = collected(apps.get_app_config("staticfiles").ignore_patterns)
    assert not [path for path in left if "bootstrap/js/jquery" in path or "bootstrap.rtl" in path]
