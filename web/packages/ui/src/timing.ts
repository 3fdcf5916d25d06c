/** Durations, limits and sizes that more than one screen shares; units stand in the names. */
export const SEARCH_DELAY_MS = 300;
export const SKELETON_DELAY_MS = 300;
export const SKELETON_MINIMUM_MS = 500;
export const TOAST_MS = 5_000;
export const UNDO_MS = 8_000;
export const OFFLINE_BAR_DELAY_MS = 1_500;
export const DRAFT_SAVE_MS = 600;
export const COPIED_MS = 1_600;
/** From this width down the console is one column with a bottom bar. */
export const PHONE_WIDTH_PX = 768;
/** From this width down the details panel opens over the conversation. */
export const NARROW_WIDTH_PX = 1180;
