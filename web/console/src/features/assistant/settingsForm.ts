import type { AssistantSettings, AssistantSettingsInput, Tone } from '@huitouke/api';

/** What the answer tells and the form does not send: the server refuses fields it does not know. Complete by its type. */
const TOLD_ONLY: Record<Exclude<keyof AssistantSettings, keyof AssistantSettingsInput>, true> = {
  paused: true,
  paused_until: true,
  paused_by: true,
};

/** The settings as the form changes them and sends them back. */
export function formOf(settings: AssistantSettings): AssistantSettingsInput {
  const form = { ...settings, tone: settings.tone as Tone, handover_words: [...settings.handover_words] };
  for (const field of Object.keys(TOLD_ONLY)) Reflect.deleteProperty(form, field);
  return form;
}
