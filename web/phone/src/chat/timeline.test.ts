import { describe, expect, it } from 'vitest';
import { SESSION } from '../sandbox/types';
import { message } from './message.fixture';
import { mayRecall, rows, sessionLine, voiceLength, type Pending, type Row } from './timeline';

const kinds = (found: Row[]): string[] => found.map((row) => row.kind);
const pending = (patch: Partial<Pending> = {}): Pending => ({ key: 'p1', message: message({ seq: 0, msgid: '', sent_at: 1_700_000_010 }), error: null, ...patch });

describe('times between messages', () => {
  it('stand before the first message and after more than five minutes', () => {
    const found = rows([message({ seq: 1, sent_at: 1000 }), message({ seq: 2, sent_at: 1300 }), message({ seq: 3, sent_at: 1601 })], [], 'customer');
    expect(kinds(found)).toEqual(['time', 'message', 'message', 'time', 'message']);
  });

  it('measure the gap from the message before, not from the last time shown', () => {
    const found = rows([0, 200, 400, 600].map((at, index) => message({ seq: index + 1, sent_at: at })), [], 'customer');
    expect(kinds(found)).toEqual(['time', 'message', 'message', 'message', 'message']);
  });
});

describe('whose message it is', () => {
  it('differs between the phone and the desk', () => {
    const messages = [message({ seq: 1 }), message({ seq: 2, sender: 'account' }), message({ seq: 3, sender: 'servicer' })];
    const mine = (viewer: 'customer' | 'servicer'): boolean[] => rows(messages, [], viewer).flatMap((row) => (row.kind === 'message' ? [row.mine] : []));
    expect(mine('customer')).toEqual([true, false, false]);
    expect(mine('servicer')).toEqual([false, true, true]);
  });

  it('decides what a recalled message says', () => {
    const [, row] = rows([message({ recalled: true })], [], 'servicer');
    expect(row).toMatchObject({ kind: 'line', text: 'chat.recalled.theirs' });
  });
});

describe('messages on their way', () => {
  it('stand last and say that they are being sent', () => {
    const found = rows([message()], [pending()], 'customer');
    expect(found.at(-1)).toMatchObject({ kind: 'message', key: 'p1', sending: true, error: null });
  });

  it('say why they failed', () => {
    expect(rows([], [pending({ error: 'HTTP 502' })], 'customer').at(-1)).toMatchObject({ sending: false, error: 'HTTP 502' });
  });

  it('give way to the message as it arrived', () => {
    const found = rows([message({ msgid: 'm9' })], [pending({ message: message({ msgid: 'm9' }) })], 'customer');
    expect(kinds(found)).toEqual(['time', 'message']);
    expect(found.at(-1)).toMatchObject({ key: 'm9', sending: false });
  });
});

describe('what happened besides messages', () => {
  it('stands between the messages by its time', () => {
    const messages = [message({ seq: 1, sent_at: 1000 }), message({ seq: 2, sent_at: 1100 })];
    const found = rows(messages, [], 'customer', [{ key: 'late', at: 1200, text: 'x' }, { key: 'entered', at: 1050, text: 'chat.entered', words: { name: '店' } }]);
    expect(found.map((row) => row.key)).toEqual(['time-m1', 'm1', 'entered', 'm2', 'late']);
  });

  it('stands alone in an empty chat', () => {
    expect(rows([], [], 'customer', [{ key: 'entered', at: 1, text: 'chat.entered' }])).toHaveLength(1);
  });
});

describe('where the session stands', () => {
  it.each([
    [SESSION.APP, 3, null],
    [SESSION.POOL, 3, 'chat.session.pool'],
    [SESSION.EMPLOYEE, 3, 'chat.session.employee'],
    [SESSION.ENDED, 3, 'chat.session.ended'],
    [SESSION.ENDED, 0, null],
  ])('state %i with %i messages', (state, count, line) => {
    expect(sessionLine(state, count)).toBe(line);
  });
});

describe('small rules', () => {
  it('a message may be taken back for two minutes, by who wrote it, once', () => {
    const sent = message({ sent_at: 1000 });
    expect(mayRecall(sent, 1120)).toBe(true);
    expect(mayRecall(sent, 1121)).toBe(false);
    expect(mayRecall({ ...sent, sender: 'account' }, 1000)).toBe(false);
    expect(mayRecall({ ...sent, recalled: true }, 1000)).toBe(false);
  });

  it('a voice of a minute is as long as bubbles get', () => {
    expect(voiceLength(60)).toBe(1);
    expect(voiceLength(600)).toBe(1);
    expect(voiceLength(1)).toBeGreaterThan(0.1);
  });
});
