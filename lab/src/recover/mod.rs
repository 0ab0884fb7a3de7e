//! What a leaf holds, for whoever reads leaves without a database.
pub(crate) mod leaf;
