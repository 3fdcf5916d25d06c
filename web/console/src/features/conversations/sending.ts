import { api, ApiProblem, unwrap, upload, type Message, type MessageCard, type StoredFile } from '@huitouke/api';
import { useMutationState, useQueryClient, type Mutation, type QueryClient } from '@tanstack/vue-query';
import { computed, type ComputedRef, type Ref } from 'vue';
import { sentence } from '@/app/problem';
import { cardIn, type CardForm, type CardKind } from './cardForms';
import { keys } from './queries';
import { putMessage, type Thread } from './thread';

/** JPEG first: Safari turns an iPhone's HEIC into the first of these. */
export const PICTURE_TYPES = 'image/jpeg,image/png,image/gif,image/webp';

/** A card with what was written into its dialog. */
export interface OutgoingCard {
  kind: CardKind;
  form: CardForm;
}

/** What a person sends: one text, one file or one card. `clientId` names it for ever, so that no repeat doubles it. */
export interface Outgoing {
  clientId: string;
  conversationId: string;
  at: string;
  text?: string;
  file?: File;
  card?: OutgoingCard;
  /** Of the file, or of the card's picture, once it is uploaded. */
  fileId?: string;
}

/** A message that is not on the server yet, drawn at the end of the thread. */
export interface Pending {
  outgoing: Outgoing;
  state: 'sending' | 'waiting' | 'failed';
  problem: string;
}

const RETRIES = 3;

async function deliver(outgoing: Outgoing): Promise<Message> {
  const file = outgoing.file ?? outgoing.card?.form.picture;
  if (file && !outgoing.fileId) {
    const purpose = file.type.startsWith('image/') ? 'message_image' : 'message_file';
    const stored = await upload<StoredFile>(`/api/files?purpose=${purpose}`, file);
    outgoing.fileId = stored.id;
  }
  return unwrap(
    api.POST('/api/conversations/{conversation_id}/messages', {
      params: { path: { conversation_id: outgoing.conversationId }, header: { 'Idempotency-Key': outgoing.clientId } },
      body: bodyOf(outgoing),
    }),
  );
}

function bodyOf({ card, fileId, text }: Outgoing): { card: MessageCard } | { file_id: string } | { text: string } {
  if (card) return { card: cardIn(card.kind, card.form, fileId ?? '') };
  return fileId ? { file_id: fileId } : { text: text ?? '' };
}

/** Sends in the order of writing, one after another per conversation, outliving the page that asked. */
export function send(cache: QueryClient, outgoing: Outgoing): void {
  const mutation = cache.getMutationCache().build<Message, Error, Outgoing, unknown>(cache, {
    mutationKey: keys.send,
    mutationFn: deliver,
    scope: { id: `send-${outgoing.conversationId}` },
    // The key makes a repeat harmless, so a shaky line is no reason to bother the person.
    retry: (count, error) => count < RETRIES && error instanceof ApiProblem && error.transient,
    gcTime: Infinity,
    onSuccess: (message) => {
      cache.setQueryData<Thread>(keys.messages(outgoing.conversationId), (thread) => thread && putMessage(thread, message));
    },
  });
  mutation.execute(outgoing).then(
    () => cache.getMutationCache().remove(mutation),
    // The failure stays in the cache, drawn in the thread with its reason and a way to repeat it.
    () => {},
  );
}

function sendingOf(cache: QueryClient, clientId: string): Mutation | undefined {
  return cache.getMutationCache().find({ predicate: (one) => (one.state.variables as Outgoing | undefined)?.clientId === clientId });
}

export function sendAgain(cache: QueryClient, outgoing: Outgoing): void {
  discard(cache, outgoing);
  send(cache, outgoing);
}

export function discard(cache: QueryClient, outgoing: Outgoing): void {
  const mutation = sendingOf(cache, outgoing.clientId);
  if (mutation) cache.getMutationCache().remove(mutation);
}

export function newOutgoing(conversationId: string, content: { text: string } | { file: File } | OutgoingCard): Outgoing {
  const what = 'kind' in content ? { card: content } : content;
  return { clientId: crypto.randomUUID(), conversationId, at: new Date().toISOString(), ...what };
}

/** What is on its way in this conversation, oldest first. */
export function usePending(conversationId: Ref<string>): ComputedRef<Pending[]> {
  const states = useMutationState(
    {
      filters: { mutationKey: keys.send },
      select: (mutation) => ({
        outgoing: mutation.state.variables as Outgoing | undefined,
        status: mutation.state.status,
        paused: mutation.state.isPaused,
        error: mutation.state.error,
      }),
    },
    useQueryClient(),
  );
  return computed(() =>
    states.value.flatMap(({ outgoing, status, paused, error }): Pending[] => {
      if (!outgoing || outgoing.conversationId !== conversationId.value || status === 'success') return [];
      const state = status === 'error' ? 'failed' : paused && !navigator.onLine ? 'waiting' : 'sending';
      return [{ outgoing, state, problem: error ? sentence(error) : '' }];
    }),
  );
}
