/** How states look; a colour never stands without its word. */
export const APP_TONES = { new: 'neutral', verified: 'success', failing: 'danger' } as const;
export const VISIT_TONES = { asked: 'warning', granted: 'success', refused: 'neutral', ended: 'neutral' } as const;
export const ACCOUNT_TONES = { active: 'success', disconnected: 'neutral', failing: 'danger' } as const;
