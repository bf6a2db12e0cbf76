"""What explains a view: cases and assignments, work lists, shifts; found in our own tables."""
