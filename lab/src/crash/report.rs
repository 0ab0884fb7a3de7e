//! An outcome as metrics and tables.
