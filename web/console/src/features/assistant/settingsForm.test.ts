import type { AssistantSettings } from '@huitouke/api';
import { describe, expect, it } from 'vitest';
import { formOf } from './settingsForm';

const settings: AssistantSettings = {
  name: '小回',
  ai_label: '【AI】',
  tone: 'friendly',
  unsure_text: '我去问一下同事。',
  hand_over_when_unsure: true,
  media_text: '我只看得懂文字。',
  hand_over_media: true,
  handover_text: '马上有人来。',
  handover_words: ['人工'],
  failed_turns_limit: 2,
  paused: true,
  paused_until: null,
  paused_by: '店长',
};

describe('the form of the settings', () => {
  it('sends back only what the server takes: a pause is changed elsewhere', () => {
    expect(Object.keys(formOf(settings)).filter((field) => field.startsWith('paused'))).toEqual([]);
  });

  it('keeps its own list of words, so that leaving without saving changes nothing', () => {
    const form = formOf(settings);
    form.handover_words.push('投诉');
    expect(settings.handover_words).toEqual(['人工']);
  });
});
