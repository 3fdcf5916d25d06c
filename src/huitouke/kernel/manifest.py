"""What the kernel itself contributes, in the form in which every module does."""

from huitouke.kernel.modules import Module, SurfaceRouter


def module() -> Module:
    """Session, files, the audit log, dead letters."""
    from huitouke.kernel import audit
    from huitouke.kernel.access import console as session
    from huitouke.kernel.access import second_step_console as second_step
    from huitouke.kernel.access import security_console as security
    from huitouke.kernel.files import console as files
    from huitouke.kernel.files.service import expire
    from huitouke.kernel.work import console as work

    return Module(
        name="kernel",
        routers=tuple(
            SurfaceRouter("console", part.router) for part in (session, second_step, security, files, audit, work)
        ),
        permissions=(audit.PERMISSION, *work.PERMISSIONS),
        schedules=(expire,),
    )
