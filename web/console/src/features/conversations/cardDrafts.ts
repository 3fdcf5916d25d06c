import { reactive } from 'vue';
import { emptyForm, type CardForm, type CardKind } from './cardForms';

const STORED = 'huitouke.cards';

/** What a shop sends again and again: its own address, its own mini program. Kept on this device. */
type Remembered = Partial<Pick<CardForm, 'appid' | 'name' | 'address' | 'coordinates'>>;

function remembered(): Remembered {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? '{}') as Remembered;
  } catch {
    // Unreadable memories are lost already; empty fields are all that is left.
    return {};
  }
}

const drafts = reactive(new Map<string, CardForm>());

/** The card of that kind that is being made for the conversation; it outlives the dialog, until it is sent. */
export function draftOf(conversationId: string, kind: CardKind): CardForm {
  const key = `${conversationId}:${kind}`;
  const known = drafts.get(key);
  if (known) return known;
  // Not what is put in, but what the map gives back follows changes.
  drafts.set(key, { ...emptyForm(), ...remembered() });
  return draftOf(conversationId, kind);
}

export function putBack(conversationId: string, kind: CardKind, form: CardForm): void {
  drafts.set(`${conversationId}:${kind}`, form);
}

/** The form as it is sent; the next dialog of this kind begins afresh. */
export function takeDraft(conversationId: string, kind: CardKind): CardForm {
  const form = draftOf(conversationId, kind);
  drafts.delete(`${conversationId}:${kind}`);
  const kept: Remembered = remembered();
  if (kind === 'miniprogram') kept.appid = form.appid;
  if (kind === 'location') Object.assign(kept, { name: form.name, address: form.address, coordinates: form.coordinates });
  localStorage.setItem(STORED, JSON.stringify(kept));
  return { ...form, rows: form.rows.map((row) => ({ ...row })) };
}
