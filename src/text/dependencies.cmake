# Without iconv the built-in encodings are there all the same.
find_package(Iconv QUIET)
