"""The spool: while Postgres is away, hits of known tokens are fsynced to a journal on this node.

    view ── hand ──▶ the writers ── commit ──▶ 204
              │           │ Unavailable, or nothing within SPOOL_AFTER
              │ away      ▼
              └──────▶ Journal ── one fsync for all that wait ──▶ 204
                          │ segments in the folder SPOOL
                       Keeper ── Drain: the storing statement ──▶ Postgres is back

Each web process appends to a segment of its own. One process of the node, the keeper, stores what
is in closed segments and in those of dead processes, and saves the known tokens.
"""
