"""tests/phantoms/radiograph/test_dicom.py: films are encoded in every form and named one to one."""

from __future__ import annotations

import cv2
import numpy as np
import pydicom

from wetread.phantoms.radiograph.dicom import (
    FilmEncoding,
    draw_film_encoding,
    encode_film,
    identify_film,
)


def test_inverted_and_raw_films_hold_the_same_picture():
    gray = cv2.GaussianBlur(np.random.default_rng(0).random((64, 64), np.float32), (0, 0), 3)
    forms: dict[tuple[bool, bool], FilmEncoding] = {}
    rng = np.random.default_rng(1)
    while len(forms) < 4:
        form = draw_film_encoding(rng)
        forms[form.raw, form.inverted] = form
    for (raw, inverted), form in forms.items():
        file = encode_film(identify_film(0, 1), form, gray, female=True, age=30, view="PA")
        data = pydicom.dcmread(pydicom.filebase.DicomBytesIO(file))
        shown = data.pixel_array / (4095 if raw else 255)
        shown = 1 - shown if inverted else shown
        assert np.abs(shown - gray).max() < (0.0002 if raw else 0.03)


def test_identifiers_are_one_to_one():
    names = [identify_film(3, number) for number in range(3000)]
    uids = [uid for n in names for uid in (n.image, n.series, n.study)]
    assert len(set(uids)) == 9000
    assert all(pydicom.uid.UID(uid).is_valid for uid in uids)
    assert len({n.patient for n in names}) == 3000
