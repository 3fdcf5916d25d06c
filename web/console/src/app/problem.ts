import { ApiProblem } from '@huitouke/api';
import { useToasts } from '@huitouke/ui';
import { translate } from './i18n';

/** The sentence for people about anything that was thrown. */
export function sentence(error: unknown): string {
  if (error instanceof ApiProblem) return error.isKey ? translate(error.message) : error.message;
  return translate('errors.unexpected');
}

/** The same, for DataState: an error with a readable message and the code to quote. */
export function readable(error: unknown): (Error & { requestId?: string | null }) | null {
  if (!error) return null;
  return Object.assign(new Error(sentence(error)), { requestId: error instanceof ApiProblem ? error.requestId : null });
}

/** For actions without a form: say it in a toast. */
export function toastProblem(error: unknown): void {
  useToasts().fail(sentence(error));
}

/** The sentence for one field of a form, when the server named it. */
export function fieldProblem(error: unknown, field: string): string {
  return error instanceof ApiProblem && error.field === field ? sentence(error) : '';
}

/** The sentence for the form as a whole: when no field of it is named. */
export function formProblem(error: unknown, fields: readonly string[]): string {
  if (!error) return '';
  if (error instanceof ApiProblem && error.field && fields.includes(error.field)) return '';
  return sentence(error);
}
