"""Alembic's entry: runs the revisions on the connection that `migrating.migrate` hands over, inside its
transaction."""

from alembic import context

from hub_config.governance import budgets  # noqa: F401  (its tables)
from hub_config.governance.ledger import models as _ledger  # noqa: F401  (declares its tables)
from hub_config.governance.models import Base
from hub_config.governance.notebooks import models as _notebooks  # noqa: F401
from hub_config.governance.notices import models as _notices  # noqa: F401
from hub_config.governance.persons import models as _persons  # noqa: F401
from hub_config.governance.recontact import models as _recontact  # noqa: F401
from hub_config.governance.register import models as _register  # noqa: F401
from hub_config.governance.releases import models as _releases  # noqa: F401
from hub_config.governance.report_runs import models as _report_runs  # noqa: F401
from hub_config.governance.rights import models as _rights  # noqa: F401

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=False,  # the transaction is the caller's
    render_as_batch=True,
)
context.run_migrations()
