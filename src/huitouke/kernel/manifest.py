"""What the kernel itself contributes, in the form in which every module does."""

from huitouke.kernel.modules import Module, SurfaceRouter


def module() -> Module:
    """Session, files, the audit log, dead letters, the plan."""
    from huitouke.kernel import audit
    from huitouke.kernel.access import console as session
    from huitouke.kernel.access import second_step_console as second_step
    from huitouke.kernel.access import security_console as security
    from huitouke.kernel.files import console as files
    from huitouke.kernel.files.service import expire, stored_bytes
    from huitouke.kernel.operators import session as operator_session
    from huitouke.kernel.operators.health import look
    from huitouke.kernel.plans import Quota
    from huitouke.kernel.plans import console as plan
    from huitouke.kernel.plans.measuring import measure
    from huitouke.kernel.processors import PROCESSORS, file_store
    from huitouke.kernel.work import console as work

    return Module(
        name="kernel",
        routers=(
            *(
                SurfaceRouter("console", part.router)
                for part in (session, second_step, security, files, audit, work, plan)
            ),
            SurfaceRouter("operator", operator_session.router),
        ),
        permissions=(audit.PERMISSION, *work.PERMISSIONS, plan.PERMISSION),
        quotas=(Quota("storage", unit="bytes", count=stored_bytes),),
        schedules=(expire, measure, look),
        extensions={PROCESSORS: (file_store,)},
    )
