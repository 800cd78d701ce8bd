//! `serve_command`: a server follows the commands that write to its database beside it.

use futures_util::FutureExt as _;

use super::state::Authority;

impl Authority {
    /// Serves the next command of another process that writes to the database. Call it again and again while the server runs. On
    /// PostgreSQL it never returns.
    pub async fn serve_command(&self) {
        let reload = || {
            self.organization_resources.clear();
            async { self.reload_keys().await.is_ok() }.boxed()
        };
        self.store.serve_command(reload).await;
    }
}
