import type { ServerConnection } from '@jupyterlab/services';

/** A file that is sent. */
export interface Sending {
  url: string;
  file: Blob;
  settings: ServerConnection.ISettings;
  /** Seconds after which it is given up. */
  seconds: number;
  /** Told the share that has travelled, from 0 to 1. */
  sent: (share: number) => void;
  signal?: AbortSignal | undefined;
}

/** No answer came. */
export class Unsent extends Error {
  constructor(readonly why: 'Cancelled' | 'Network' | 'Timeout') {
    super(why);
  }
}

/**
 * Send a file's bytes and tell how much of them has travelled, which `fetch` cannot; the same to the server otherwise.
 *
 * Fails (with `Unsent`) where no answer came in time.
 */
export function sending({ url, file, settings, seconds, sent, signal }: Sending): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const failed = (why: Unsent['why']) => (): void => {
      reject(new Unsent(why));
    };
    request.open('PUT', url);
    request.timeout = seconds * 1000;
    request.withCredentials = settings.init.credentials === 'include';
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    authorize(request, settings);
    request.upload.onprogress = ({ loaded, total }) => {
      sent(total > 0 ? loaded / total : 0);
    };
    request.upload.onload = () => {
      sent(1);
    };
    request.onload = () => {
      const after = request.getResponseHeader('Retry-After');
      const headers: HeadersInit = after === null ? {} : { 'Retry-After': after };
      resolve(new Response(request.responseText, { status: request.status, headers }));
    };
    request.onerror = failed('Network');
    request.ontimeout = failed('Timeout');
    request.onabort = failed('Cancelled');
    signal?.addEventListener('abort', () => {
      request.abort();
    });
    request.send(file);
  });
}

/** As `ServerConnection.makeRequest` does for `fetch`. */
function authorize(request: XMLHttpRequest, settings: ServerConnection.ISettings): void {
  if (settings.token) {
    request.setRequestHeader('Authorization', `token ${settings.token}`);
  }
  // Of several cookies of this name, the server takes the last.
  const cookies = document.cookie.split(';').map(each => each.trim());
  const guard = cookies.filter(each => each.startsWith('_xsrf=')).at(-1);
  if (guard) {
    request.setRequestHeader('X-XSRFToken', guard.slice('_xsrf='.length));
  }
}
