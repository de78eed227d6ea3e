"""Files of machines: inside the storage, whole or not at all."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from machines import storage


def test_it_works(settings):
    place = storage.new_folder() / "source"
    storage.write_whole(place, [b"one ", b"two"])
    assert place.read_bytes() == b"one two"
    assert storage.absolute(storage.recorded(place)) == place
    assert place.is_relative_to(settings.STORAGE_ROOT / "machines")


def test_two_folders_are_never_the_same():
    assert storage.new_folder() != storage.new_folder()


@pytest.mark.parametrize("path", ["../secret_key", "/etc/passwd", "machines/../../x", "machines/a/../../../x"])
def test_a_path_out_of_the_storage_is_refused(path):
    with pytest.raises(ValueError, match="not inside the storage"):
        storage.absolute(path)


def test_a_link_out_of_the_storage_is_refused(settings, tmp_path):
    (settings.STORAGE_ROOT / "way-out").symlink_to(tmp_path.parent)
    with pytest.raises(ValueError, match="not inside the storage"):
        storage.absolute("way-out/x")


def test_a_file_that_broke_off_is_not_there():
    def broken():
        yield b"half"
        raise ConnectionError

    folder = storage.new_folder()
    with pytest.raises(ConnectionError):
        storage.write_whole(folder / "source", broken())
    assert list(folder.iterdir()) == []


def test_a_file_that_broke_off_leaves_the_old_one():
    def broken():
        yield b"half"
        raise ConnectionError

    place = storage.new_folder() / "source"
    storage.write_whole(place, [b"old"])
    with pytest.raises(ConnectionError):
        storage.write_whole(place, broken())
    assert place.read_bytes() == b"old"


def test_removing_a_folder_that_is_gone_is_no_error():
    folder = storage.new_folder()
    storage.remove_folder(folder)
    storage.remove_folder(folder)
    assert not folder.exists()


def test_an_upload_under_way_lies_in_the_storage(settings, tmp_path):
    """Under a name of ours: that of the file may be anything."""
    name = "houses." + "x" * 300
    request = RequestFactory().post("/", {"file": SimpleUploadedFile(name, b"1,2\n")})
    file = request.FILES["file"]
    place = Path(file.temporary_file_path())
    assert place.parent == settings.STORAGE_ROOT / "incoming" and place.read_bytes() == b"1,2\n"
    assert len(place.name) < 40 and file.read() == b"1,2\n"
    request.close()
    assert not place.exists()


def test_a_file_that_is_kept_for_reading_has_a_place():
    first, second = storage.new_incoming(), storage.new_incoming()
    storage.write_whole(first, [b"1"])
    assert first.parent == second.parent and first != second
