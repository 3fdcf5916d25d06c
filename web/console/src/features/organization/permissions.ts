/** Looking at the staff and their roles; changing them is MANAGE. */
export const STAFF = ['organization.view', 'organization.manage'] as const;
export const MANAGE = ['organization.manage'] as const;
export const WORK = ['work.manage'] as const;
export const PLAN = ['plan.view'] as const;
export const SUPPORT = ['support.manage'] as const;
export const PRIVACY = ['customers.privacy'] as const;
export const AUDIT = ['audit.view'] as const;
export const TODAY = ['conversations.view', 'customers.view', 'assistant.view', 'organization.manage'] as const;
