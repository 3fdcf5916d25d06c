"""Why something about staff or WeCom apps can't be done."""

from huitouke.kernel.errors import Conflict, InvalidInput, PermissionMissing, Problem


class LastOwner(Conflict):
    """A tenant keeps at least one active owner."""

    type = "organization.last_owner"


class OwnersOnly(PermissionMissing):
    """Only owners may make, change or disable owners."""

    type = "organization.owners_only"


class OwnSecondStep(Conflict):
    """Nobody takes the own second step away as a colleague's: that would need neither password nor code."""

    type = "organization.own_second_step"


class StaffDisabled(Conflict):
    """A disabled person gets no link: they couldn't come in with it."""

    type = "organization.staff_disabled"


class NoSignIn(Conflict):
    """The address book names the person, who doesn't sign in here (yet)."""

    type = "organization.no_sign_in"


class WecomUseridTaken(Conflict):
    """Another person of the staff has this WeCom account."""

    type = "organization.wecom_userid_taken"


class WecomAppExists(Conflict):
    """This app of this corp is entered already."""

    type = "organization.wecom_app_exists"


class WecomAppInUse(Conflict):
    """Accounts are connected through the app: they are disconnected first."""

    type = "organization.wecom_app_in_use"


class CorpIdSettled(Conflict):
    """WeCom has called for this corp already: another corp is another app."""

    type = "organization.corp_id_settled"


class WrongShape(InvalidInput):
    """A corp id, agent id or secret that can't be one; `reason` says which rule it breaks."""

    type = "organization.wrong_shape"


class RoleBeyondYours(PermissionMissing):
    """Nobody gives, makes or changes a role that may do what they may not; `permission` names one such thing."""

    type = "organization.role_beyond_yours"


class ScopeBeyondYours(RoleBeyondYours):
    """Nobody gives, makes or changes a role that sees customers whom they don't see."""

    type = "organization.scope_beyond_yours"


class PersonBeyondYours(PermissionMissing):
    """Who may do what the doer may not is changed by somebody else."""

    type = "organization.person_beyond_yours"


class RoleNameTaken(Conflict):
    """Another role has this name."""

    type = "organization.role_name_taken"


class RoleChanged(Conflict):
    """Somebody changed the role meanwhile; `version` is the newest."""

    type = "organization.role_changed"


class RoleInUse(Conflict):
    """`people` have the role: they are given another one first."""

    type = "organization.role_in_use"


class DoorGone(Problem):
    """This address for signing in with WeCom leads nowhere (any more)."""

    status = 410
    type = "organization.door_gone"


class ScanAgain(Problem):
    """What came back from WeCom is too old, was used, or was begun in another browser."""

    status = 410
    type = "organization.scan_again"


class NotOurStaff(PermissionMissing):
    """WeCom knows the person, the merchant doesn't (any more): `userid` is what an administrator enters."""

    type = "organization.not_our_staff"


class NotInvited(PermissionMissing):
    """The address book names the person, and nobody has invited them to sign in yet."""

    type = "organization.not_invited"


class TenantStateConflict(Conflict):
    """The tenant's state doesn't allow that step (any more); `state` says which it is."""

    type = "organization.tenant_state"


class VisitAnswered(Conflict):
    """The visit was answered, or is over."""

    type = "organization.visit_answered"


class VisitPending(Conflict):
    """The same operator has asked already, and waits."""

    type = "organization.visit_pending"


class SignUpClosed(Problem):
    """Shops are made by the operator here."""

    status = 403
    type = "organization.sign_up_closed"


class AddressBookConnected(Conflict):
    """The address book is connected already: it is disconnected first."""

    type = "organization.address_book_connected"


class NothingAsked(Conflict):
    """The sync doesn't ask about people who left (any more), or about another number of them."""

    type = "organization.nothing_asked"


class AddressBookDecides(Conflict):
    """This comes from WeCom's address book and is changed there."""

    type = "organization.address_book_decides"


class DepartmentNotEmpty(Conflict):
    """There are people in it or departments below it: they are moved first."""

    type = "organization.department_not_empty"


class DepartmentInCircle(Conflict):
    """A department can't stand below itself."""

    type = "organization.department_in_circle"


class TooDeep(Conflict):
    """Departments stand at most `maximum` levels deep."""

    type = "organization.too_deep"


class HasSignIn(Conflict):
    """The person has a sign-in name already."""

    type = "organization.has_sign_in"


class HasLeft(Conflict):
    """The person has left: they come back first."""

    type = "organization.has_left"


class YouYourself(Conflict):
    """Nobody marks themselves as left: a colleague does it."""

    type = "organization.you_yourself"


class NothingToSendAgain(Conflict):
    """It was sent, or is on its way."""

    type = "organization.nothing_to_send_again"


class NoWayToYou(Conflict):
    """This channel doesn't reach the person: an address or a connection is missing."""

    type = "organization.no_way_to_you"


class NoMail(Conflict):
    """This installation sends no e-mail: links are copied and passed on."""

    type = "organization.no_mail"


class CodeGone(Problem):
    """Too late, too many wrong codes, or none was sent: one begins again."""

    status = 410
    type = "organization.code_gone"


class NoSmsAccount(Conflict):
    """The merchant has no account at a provider of SMS."""

    type = "organization.no_sms_account"


class NoWebhook(InvalidInput):
    """This is not the address of a group's robot."""

    type = "organization.no_webhook"


class RobotExists(Conflict):
    """This robot is entered already."""

    type = "organization.robot_exists"


class ImportNotPreviewed(Conflict):
    """The file is being taken in already, was taken in, or could not be read."""

    type = "organization.import_not_previewed"
