export const VIEW = ['assistant.view'] as const;
export const MANAGE = ['assistant.manage'] as const;
