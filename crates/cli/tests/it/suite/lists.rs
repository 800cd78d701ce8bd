//! The list of service accounts: pages, cursors, streams (G20).
