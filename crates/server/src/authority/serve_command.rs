//! `serve_command`: a server follows the commands that write to its database beside it.

use super::state::Authority;

impl Authority {
    /// Serves the next command of another process that writes to the database. Call it again and again while the server runs. On
    /// PostgreSQL it never returns.
    pub async fn serve_command(&self) {
        self.store.serve_command(async || {}).await;
    }
}
