//! What is deployed beside the program.
