"""What the kernel itself contributes, in the form in which every module does."""

from huitouke.kernel.modules import Module, Permission, SurfaceRouter


def module() -> Module:
    """Session, files and the audit log."""
    from huitouke.kernel import audit
    from huitouke.kernel.access import console as session
    from huitouke.kernel.files import console as files
    from huitouke.kernel.files.service import expire

    return Module(
        name="kernel",
        routers=tuple(SurfaceRouter("console", part.router) for part in (session, files, audit)),
        permissions=(audit.PERMISSION, Permission("work.view"), Permission("work.manage")),
        schedules=(expire,),
    )
