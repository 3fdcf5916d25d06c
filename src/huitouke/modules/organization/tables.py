"""Columns of the organization that other modules may join on, read-only."""

from huitouke.modules.organization.models import Staff, StaffDepartment, WecomApp

__all__ = ["Staff", "StaffDepartment", "WecomApp"]

staff_tenant_id = Staff.tenant_id
staff_id = Staff.id
staff_name = Staff.name
staff_wecom_userid = Staff.wecom_userid
wecom_app_id = WecomApp.id
wecom_app_corp_id = WecomApp.corp_id
staff_department_staff_id = StaffDepartment.staff_id
staff_department_department_id = StaffDepartment.department_id
