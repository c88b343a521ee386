"""The faces: magics, view, terminal. They parse, delegate and show."""
