//! One test binary: one link, shared helpers.
