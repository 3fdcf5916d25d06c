export const MANAGE = ['organization.manage'] as const;
export const WORK = ['work.manage'] as const;
export const AUDIT = ['audit.view'] as const;
