"""verbs/bundle: runs in; a folder that is read without torch, with its card, out."""
