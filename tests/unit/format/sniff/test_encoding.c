#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <iconv.h>
#include <string.h>

#include "format/sniff/sniff.h"

static size_t encode(const char *encoding, const char *utf8, char *into, size_t cap)
{
    iconv_t cd = iconv_open(encoding, "UTF-8");
    assert_true(cd != (iconv_t)-1);
    char *in = (char *)(uintptr_t)utf8, *out = into;
    size_t in_left = strlen(utf8), out_left = cap;
    assert_int_equal(iconv(cd, &in, &in_left, &out, &out_left), 0);
    iconv_close(cd);
    return cap - out_left;
}

static const char french[] = "nom,prénom,ville\nDupré,Hélène,Orléans\nLefèvre,François,Besançon\nMüller,Zoé,Mâcon\n";
static const char german[] = "Straße;Größe;Preis\nMühlweg;groß;3,50\nKönigsallee;übergroß;7,10\nHäuserstraße;klein;2\n";
static const char spanish[] = "año,niño,población\nmañana,Muñoz,Málaga\nseñor,Ibáñez,Cádiz\ncorazón,Núñez,León\n";
static const char polish[] =
    "imię,miasto\nŁukasz,Łódź\nZbigniew,Kraków\nGrażyna,Gdańsk\nStanisław,Częstochowa\nJoanna,Świętochłowice\n";
static const char czech[] =
    "jméno,město\nJiří,Plzeň\nTomáš,České Budějovice\nLukáš,Příbram\nOndřej,Žďár\nKateřina,Děčín\n";
static const char russian[] = "имя,город\nИван,Москва\nОльга,Санкт-Петербург\nСергей,Новосибирск\nАнна,Екатеринбург\n";
static const char greek[] = "όνομα,πόλη\nΓιώργος,Αθήνα\nΜαρία,Θεσσαλονίκη\nΝίκος,Πάτρα\nΕλένη,Ηράκλειο\n";
static const char turkish[] =
    "isim,şehir\nAyşe,İstanbul\nÇağlar,Diyarbakır\nGülşah,Eskişehir\nYağmur,Muğla\nIşıl,Kırşehir\n";
static const char japanese[] = "名前,都市,備考\n田中太郎,東京都,これはテストです\n鈴木花子,大阪府,"
                               "よろしくお願いします\n佐藤一郎,京都,カタカナもあります\n";
static const char chinese[] =
    "姓名,城市,备注\n王小明,北京,这是一个测试文件\n李小红,上海,请检查数据的质量\n张伟,广州,没有问题\n";
static const char taiwan[] =
    "姓名,城市,備註\n王小明,臺北,這是一個測試檔案\n李小紅,高雄,請檢查資料的品質\n張偉,臺中,沒有問題\n";
static const char korean[] =
    "이름,도시,비고\n김철수,서울,이것은 시험 파일입니다\n이영희,부산,감사합니다\n박민수,대구,문제가 없습니다\n";

static const struct {
    const char *text, *encoding, *name;
} cases[] = {
    {french, "WINDOWS-1252", "WINDOWS-1252"},
    {french, "ISO-8859-1", "WINDOWS-1252"},
    {french, "CP850", "CP850"},
    {french, "MACINTOSH", "MACINTOSH"},
    {german, "WINDOWS-1252", "WINDOWS-1252"},
    {german, "CP850", "CP850"},
    {german, "MACINTOSH", "MACINTOSH"},
    {spanish, "WINDOWS-1252", "WINDOWS-1252"},
    {spanish, "CP850", "CP850"},
    {polish, "WINDOWS-1250", "WINDOWS-1250"},
    {polish, "ISO-8859-2", "ISO-8859-2"},
    {polish, "CP852", "CP852"},
    {czech, "WINDOWS-1250", "WINDOWS-1250"},
    {czech, "ISO-8859-2", "ISO-8859-2"},
    {russian, "WINDOWS-1251", "WINDOWS-1251"},
    {russian, "KOI8-R", "KOI8-R"},
    {russian, "CP866", "CP866"},
    {greek, "WINDOWS-1253", "WINDOWS-1253"},
    {turkish, "WINDOWS-1254", "WINDOWS-1254"},
    {japanese, "CP932", "CP932"},
    {japanese, "EUC-JP", "EUC-JP"},
    {chinese, "GB18030", "GB18030"},
    {taiwan, "BIG5", "BIG5"},
    {korean, "CP949", "CP949"},
    {french, "UTF-16LE", "UTF-16LE"},
    {french, "UTF-16BE", "UTF-16BE"},
    {chinese, "UTF-16LE", "UTF-16LE"},
    {japanese, "UTF-16BE", "UTF-16BE"},
    {russian, "UTF-16LE", "UTF-16LE"},
    {german, "UTF-32LE", "UTF-32LE"},
    {chinese, "UTF-32BE", "UTF-32BE"},
    {french, "UTF-8", "UTF-8"},
    {chinese, "UTF-8", "UTF-8"},
    {japanese, "ISO-2022-JP", "ISO-2022-JP"},
};

static void told_by_letters(void **unused)
{
    (void)unused;
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char bytes[2048];
        size_t n = encode(cases[i].encoding, cases[i].text, bytes, sizeof bytes);
        struct sniff_encoding found = sniff_encoding((const uint8_t *)bytes, n, true);
        if (strcmp(found.name, cases[i].name) != 0 || found.bom_bytes != 0 || !(found.sure > 0.4) || found.sure > 1) {
            print_error("%s of %.12s: %s, sure %.2f\n", cases[i].encoding, cases[i].text, found.name, found.sure);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void iso_8859_15_by_its_euro(void **unused)
{
    (void)unused;
    char bytes[512];
    size_t n = encode("ISO-8859-15", "article,prix\nthé,5 €\ncafé,7 €\nsœur,9 €\n", bytes, sizeof bytes);
    assert_string_equal(sniff_encoding((const uint8_t *)bytes, n, true).name, "ISO-8859-15");
    n = encode("WINDOWS-1252", "article,prix\nthé,5 €\ncafé,7 €\nsœur,9 €\n", bytes, sizeof bytes);
    assert_string_equal(sniff_encoding((const uint8_t *)bytes, n, true).name, "WINDOWS-1252");
}

static void byte_order_marks(void **unused)
{
    (void)unused;
    static const struct {
        const char *bytes;
        size_t n, bom;
        const char *name;
    } marks[] = {{"\xef\xbb\xbf"
                  "a,b",
                  6, 3, "UTF-8"},
                 {"\xff\xfe"
                  "a\0",
                  4, 2, "UTF-16LE"},
                 {"\xfe\xff\0a", 4, 2, "UTF-16BE"},
                 {"\xff\xfe\0\0a\0\0\0", 8, 4, "UTF-32LE"},
                 {"\0\0\xfe\xff\0\0\0a", 8, 4, "UTF-32BE"}};
    for (size_t i = 0; i < ARRAY_LENGTH(marks); i++) {
        struct sniff_encoding found = sniff_encoding((const uint8_t *)marks[i].bytes, marks[i].n, true);
        assert_string_equal(found.name, marks[i].name);
        assert_int_equal(found.bom_bytes, marks[i].bom);
        assert_true(found.sure == 1);
    }
}

static void utf8_at_its_edges(void **unused)
{
    (void)unused;
    const uint8_t *cut = (const uint8_t *)"caf\xc3\xa9,\xe2\x82";
    assert_string_equal(sniff_encoding(cut, 8, false).name, "UTF-8");
    assert_true(sniff_encoding(cut, 8, false).sure == 1);
    /* Cut by the file's end it is damage. */
    assert_true(sniff_encoding(cut, 8, true).sure < 1);
    assert_string_equal(sniff_encoding((const uint8_t *)"a,b\n1,2\n", 8, true).name, "UTF-8");
    assert_string_equal(sniff_encoding(NULL, 0, true).name, "UTF-8");

    char damaged[256] = "";
    for (int i = 0; i < 20; i++)
        strcat(damaged, "né,là\n");
    strcat(damaged, "caf\xe9\n");
    struct sniff_encoding found = sniff_encoding((const uint8_t *)damaged, strlen(damaged), true);
    assert_string_equal(found.name, "UTF-8");
    assert_true(found.sure < 1 && found.sure > 0.7);
}

static void compression_by_magic(void **unused)
{
    (void)unused;
    assert_int_equal(sniff_compression((const uint8_t *)"\x1f\x8b\x08", 3), SNIFF_GZIP);
    assert_int_equal(sniff_compression((const uint8_t *)"\x28\xb5\x2f\xfd", 4), SNIFF_ZSTD);
    assert_int_equal(sniff_compression((const uint8_t *)"\x28\xb5\x2f", 3), SNIFF_PLAIN);
    assert_int_equal(sniff_compression((const uint8_t *)"\x1f", 1), SNIFF_PLAIN);
    assert_int_equal(sniff_compression(NULL, 0), SNIFF_PLAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_by_letters),      cmocka_unit_test(iso_8859_15_by_its_euro),
        cmocka_unit_test(byte_order_marks),     cmocka_unit_test(utf8_at_its_edges),
        cmocka_unit_test(compression_by_magic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
