/** How states look; a colour never stands without its word. */
export const APP_TONES = { new: 'neutral', verified: 'success', failing: 'danger' } as const;
export const ACCOUNT_TONES = { active: 'success', disconnected: 'neutral', failing: 'danger' } as const;
