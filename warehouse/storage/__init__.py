"""The warehouse file: opened for one writer, in the form of this version, with what is locked and what goes wrong."""
