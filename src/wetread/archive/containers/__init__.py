"""archive/containers: paths come in; the bytes of files and of members of zips and tars go out."""
