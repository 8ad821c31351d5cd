-- The hash of what the code says about a static job but its trigger: only keys that are written, in frozen
-- words. `hash_rest`, which covers defaults too, stays filled for nodes of version 1.
ALTER TABLE {jobs} ADD COLUMN hash_written integer;
