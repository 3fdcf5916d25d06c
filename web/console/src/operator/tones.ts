/** How states look; a colour never stands without its word. */
export const STATE_TONES = { active: 'success', suspended: 'warning', closed: 'neutral' } as const;
export type StateName = keyof typeof STATE_TONES;
